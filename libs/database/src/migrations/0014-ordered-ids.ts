import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Ids are in the order in which their rows came, also within a millisecond: jobs are handed out and documents locked in the order of their ids. */
export class OrderedIds1790000000014 implements MigrationInterface {
  readonly name = 'OrderedIds1790000000014';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
-- RFC 9562, 6.2, method 3: the twelve bits behind the milliseconds are their fraction, here from microseconds. What follows is random, variant included.
CREATE OR REPLACE FUNCTION public.kindred_uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE SET search_path = pg_catalog AS $$
  SELECT encode(
    overlay(uuid_send(gen_random_uuid())
      PLACING int8send((now_us / 1000) << 16 | (7 << 12)::bigint | (now_us % 1000) * 4096 / 1000) FROM 1 FOR 8), 'hex')::uuid
  FROM (SELECT floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now_us) AS clock
$$`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE OR REPLACE FUNCTION public.kindred_uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE SET search_path = pg_catalog AS $$
  SELECT encode(
    set_bit(set_bit(
      overlay(uuid_send(gen_random_uuid()) PLACING substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
    52, 1), 53, 1), 'hex')::uuid
$$`);
  }
}

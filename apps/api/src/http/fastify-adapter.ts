import type { SecurityConfig } from '#config';
import { KindredFastifyAdapter } from './kindred-fastify.adapter.js';

/** Makes the HTTP adapter; pass it to NestFactory and call `configureHttp` before listening. */
export function createFastifyAdapter(
  { trustedProxies }: Pick<SecurityConfig, 'trustedProxies'> = { trustedProxies: [] },
): KindredFastifyAdapter {
  return new KindredFastifyAdapter(trustedProxies);
}

import { KindredFastifyAdapter } from './kindred-fastify.adapter.js';

/** Makes the HTTP adapter; pass it to NestFactory and call `configureHttp` before listening. */
export function createFastifyAdapter(): KindredFastifyAdapter {
  return new KindredFastifyAdapter();
}

import { KindredFastifyAdapter, type HttpAdapterOptions } from './kindred-fastify.adapter.js';

/** Makes the HTTP adapter; pass it to NestFactory and call `configureHttp` before listening. */
export function createFastifyAdapter(options: HttpAdapterOptions = {}): KindredFastifyAdapter {
  return new KindredFastifyAdapter(options);
}

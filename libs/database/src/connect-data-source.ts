import type { DataSource } from 'typeorm';
import { isTlsOptional, isTlsRefused, withTlsSemantics } from './connection-url.js';
import { createDataSource, type DataSourceSettings } from './data-source.js';

export interface ConnectedDataSource {
  readonly source: DataSource;
  /** The one that works: where encryption is left to the server, and it has none, one that asks for none. */
  readonly url: string;
}

/** Connects one pool. @throws what the driver throws */
export async function connectDataSource(settings: DataSourceSettings): Promise<ConnectedDataSource> {
  try {
    return { source: await createDataSource(settings).initialize(), url: settings.url };
  } catch (error) {
    if (!isTlsOptional(settings.url) || !isTlsRefused(error)) throw error;
    const url = withTlsSemantics(settings.url, true);
    return { source: await createDataSource({ ...settings, url }).initialize(), url };
  }
}

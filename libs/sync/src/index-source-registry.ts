import { Injectable } from '@nestjs/common';
import type { IndexSource } from './index-source.js';

/** Holds the sources of this process; features add theirs while the application is being built. */
@Injectable()
export class IndexSourceRegistry {
  private readonly sources = new Map<string, IndexSource>();

  register(source: IndexSource): void {
    if (this.sources.has(source.name)) throw new Error(`Index source ${source.name} is registered twice`);
    this.sources.set(source.name, source);
  }

  get(name: string): IndexSource {
    const source = this.sources.get(name);
    if (source === undefined) throw new Error(`No index source ${name} is registered`);
    return source;
  }

  all(): IndexSource[] {
    return [...this.sources.values()];
  }
}

import { DomainError } from '#kernel';
import { GenerationManager, IndexSourceRegistry, type GenerationRecord } from '#sync';
import { Injectable } from '@nestjs/common';

/** Whom an operator means; at most one of the two. */
export interface GenerationTarget {
  readonly generation?: number;
  readonly source?: string;
}

/** Finds the generation that an operator means: the one named, or the serving one of the source, or that of the main source, which is registered first. */
@Injectable()
export class GenerationTargets {
  constructor(
    private readonly generations: GenerationManager,
    private readonly sources: IndexSourceRegistry,
  ) {}

  /** @throws DomainError `generations.not-found` for an unknown generation or source, `search.not-ready` when nothing serves yet */
  async resolve({ generation, source }: GenerationTarget): Promise<GenerationRecord> {
    if (generation !== undefined) return this.generations.get(generation);
    const name = this.sourceNamed(source);
    const serving = (await this.generations.list()).find((one) => one.source === name && one.state === 'serving');
    if (serving === undefined) throw new DomainError('search.not-ready');
    return serving;
  }

  private sourceNamed(source: string | undefined): string {
    const names = this.sources.all().map(({ name }) => name);
    if (source !== undefined) {
      if (names.includes(source)) return source;
      throw new DomainError('generations.not-found', { detail: `There is no source ${JSON.stringify(source)}` });
    }
    const [main] = names;
    if (main === undefined) throw new DomainError('generations.not-found', { detail: 'There is no source' });
    return main;
  }
}

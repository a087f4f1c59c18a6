import { DomainError } from '#kernel';
import type { GenerationRecord } from './generation-record.js';

export const notFoundError = (id: number): DomainError =>
  new DomainError('generations.not-found', { detail: `There is no generation ${id}` });

export const retiredError = (id: number): DomainError =>
  new DomainError('generations.retired', { detail: `Generation ${id} is retired, which is final; build a new one` });

/**
 * Finds the generation that shall serve and the one that steps down for it, as one statement has read them: of two reads the second could already show
 * what another operator did after the first, and the switch would go ahead as if this operator had wanted that.
 *
 * @param all retired ones included
 * @throws DomainError `generations.not-found`, `generations.retired`, `generations.conflict` when it serves already, `search.not-ready`
 */
export function pairOf(all: readonly GenerationRecord[], id: number): { readonly from: GenerationRecord; readonly to: GenerationRecord } {
  const to = all.find((generation) => generation.id === id);
  if (to === undefined) throw notFoundError(id);
  if (to.state === 'retired') throw retiredError(id);
  if (to.state === 'serving') throw new DomainError('generations.conflict', { detail: `Generation ${id} serves already` });
  const from = all.find(({ source, state }) => source === to.source && state === 'serving');
  if (from === undefined) throw new DomainError('search.not-ready');
  return { from, to };
}

/**
 * The generation to go back to when nobody says which: the one that served last, of those older than the serving one. Older only: else a second
 * rollback, by an operator who does not know of the first, would undo it.
 *
 * @throws DomainError `generations.conflict` when there is none, or one in several sources
 */
export function previousOf(all: readonly GenerationRecord[], ofSource?: string): number {
  const own = all.filter(({ source }) => ofSource === undefined || source === ofSource);
  const serving = new Map(own.filter(({ state }) => state === 'serving').map(({ source, id }) => [source, id]));
  const candidates = own.filter(({ id, source, state }) => state === 'standby' && id < (serving.get(source) ?? 0));
  if (new Set(candidates.map(({ source }) => source)).size > 1) {
    throw new DomainError('generations.conflict', { detail: 'Several sources have a generation to go back to; say which' });
  }
  const [latest] = candidates.sort((a, b) => (b.standbySince?.getTime() ?? 0) - (a.standbySince?.getTime() ?? 0));
  if (latest === undefined) throw new DomainError('generations.conflict', { detail: 'There is no older generation to go back to' });
  return latest.id;
}

import type { SqlSession } from '#database';
import { ErasurePlace, type PlaceFinding } from '../erasure-place.js';
import type { ErasureSubject } from '../erasure.js';
import { SILENT_SECONDS } from '../process-register.js';

const PROCESSES = `
SELECT holder, cleared_through >= $1::bigint AS is_cleared FROM erasure_processes
WHERE seen_at > clock_timestamp() - make_interval(secs => $2) ORDER BY holder`;

/** What each process remembers: written answers, vectors of questions, and its copy of the index. A process that is gone has no memory. */
export class MemoryPlace extends ErasurePlace {
  readonly name = 'process-memory';

  constructor(private readonly session: SqlSession) {
    super();
  }

  async erase({ ordinal }: ErasureSubject): Promise<PlaceFinding[]> {
    const { rows } = await this.session.query<{ holder: string; is_cleared: boolean }>(PROCESSES, [ordinal, SILENT_SECONDS]);
    return rows.map(({ holder, is_cleared }) => ({
      part: holder,
      isGone: is_cleared,
      ...(is_cleared ? {} : { detail: 'has not emptied its memory yet' }),
    }));
  }
}

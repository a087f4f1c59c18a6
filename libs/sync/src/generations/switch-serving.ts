import type { RelayUnitOfWork, SqlSession } from '#database';
import type { IndexGeneration } from './index-generation.js';

/** Thrown when a generation is not in the state that the switch expects: somebody else acted, or it is retired. */
export class GenerationSwitchRefusedError extends Error {
  constructor(generationId: number, expected: string) {
    super(`Generation ${generationId} is not ${expected}`);
    this.name = 'GenerationSwitchRefusedError';
  }
}

export interface SwitchRequest {
  readonly fromId: number;
  readonly toId: number;
  /** `building` for a switch, `standby` for a rollback. */
  readonly expected: Extract<IndexGeneration['state'], 'building' | 'standby'>;
  /** Called in the transaction, with both rows locked; what it throws undoes the switch. */
  readonly verify?: (session: SqlSession) => Promise<void>;
}

const STEP_DOWN = `UPDATE index_generations SET state = 'standby', standby_since = now() WHERE id = $1 AND state = 'serving'`;
const STEP_UP = `UPDATE index_generations SET state = 'serving', serving_since = now() WHERE id = $1 AND state = $2`;

/**
 * Lets another generation answer queries, in one transaction in which both statements must hit a row (protocol rule 12). The old one is still written
 * to, which is what makes a rollback lose nothing.
 *
 * @throws GenerationSwitchRefusedError, or what `verify` threw
 */
export async function switchServing(unitOfWork: RelayUnitOfWork, { fromId, toId, expected, verify }: SwitchRequest): Promise<void> {
  // It would step down and up again, and the caller would believe to have switched.
  if (fromId === toId) throw new GenerationSwitchRefusedError(toId, expected);
  await unitOfWork.run(async (session) => {
    const down = await session.query(STEP_DOWN, [fromId]);
    if (down.rowCount !== 1) throw new GenerationSwitchRefusedError(fromId, 'serving');
    const up = await session.query(STEP_UP, [toId, expected]);
    if (up.rowCount !== 1) throw new GenerationSwitchRefusedError(toId, expected);
    await verify?.(session);
  });
}

import { UsageError } from '../service/usage-error.js';

export const TRANSFER_KINDS = ['projects', 'documents'] as const;
export type TransferKind = (typeof TRANSFER_KINDS)[number];

/** @throws UsageError */
export function parseKind(text: string | undefined): TransferKind {
  const kind = TRANSFER_KINDS.find((one) => one === text);
  if (kind === undefined) throw new UsageError(`Say which rows: ${TRANSFER_KINDS.join(' or ')}, not ${text ?? 'nothing'}`);
  return kind;
}

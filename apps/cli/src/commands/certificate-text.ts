import { renderTable } from '#kernel';
import { durationText, timeText } from '../output/words.js';

/** What the command line shows of a certificate. */
export interface CertificateReply {
  readonly id: string;
  readonly generation: number;
  readonly source: string;
  readonly collection: string;
  readonly model: string;
  readonly from: string;
  readonly to: string | null;
  readonly duration_ms: number;
  readonly is_read_only: boolean;
  readonly up_to: string | null;
  readonly rows: number;
  readonly points: number;
  readonly verified: number;
  readonly in_flight: number;
  readonly dead: number;
  readonly differences: Readonly<Record<string, { readonly count: number; readonly examples: readonly string[] }>>;
  readonly repaired: number;
  readonly sampled_vectors: number;
  readonly digest: { readonly rows: string; readonly points: string };
  readonly decision: string;
  readonly reasons: readonly string[];
}

/** One certificate, in lines. */
export function certificateText(certificate: CertificateReply): string {
  const { differences, digest } = certificate;
  const found = Object.entries(differences).filter(([, { count }]) => count > 0);
  return [
    `Certificate ${certificate.id}`,
    `  generation ${certificate.generation} of ${certificate.source}, ${certificate.collection}, ${certificate.model}`,
    `  ${timeText(certificate.from)} to ${timeText(certificate.to)} (${durationText(certificate.duration_ms / 1000)})${certificate.is_read_only ? ', read only' : ''}`,
    `  decision: ${certificate.decision}`,
    `  rows ${certificate.rows}, points ${certificate.points}, verified ${certificate.verified}, in flight ${certificate.in_flight}, dead ${certificate.dead}`,
    `  vectors compared: ${certificate.sampled_vectors}; digest of rows ${digest.rows}, of points ${digest.points}`,
    ...found.map(([kind, { count, examples }]) => `  ${kind}: ${count} (${examples.slice(0, 3).join(', ')}${count > 3 ? ', …' : ''})`),
    ...(found.length === 0 ? ['  differences: none'] : [`  repaired: ${certificate.repaired}`]),
    ...(certificate.up_to === null
      ? []
      : [`  compared up to ${certificate.up_to}; the rest: kindred reconcile --after ${certificate.up_to}`]),
    ...certificate.reasons.map((reason) => `  ${reason}`),
  ].join('\n');
}

/** Several, one a row. */
export function certificateTable(certificates: readonly CertificateReply[]): string {
  if (certificates.length === 0) return 'There are no certificates yet; kindred reconcile makes one.';
  return renderTable(
    ['id', 'generation', 'from', 'took', 'decision', 'rows', 'points', 'verified', 'differences', 'repaired'],
    certificates.map((certificate) => [
      certificate.id,
      certificate.generation,
      timeText(certificate.from),
      durationText(certificate.duration_ms / 1000),
      certificate.decision,
      certificate.rows,
      certificate.points,
      certificate.verified,
      differencesOf(certificate),
      certificate.repaired,
    ]),
  );
}

export function differencesOf({ differences }: CertificateReply): number {
  return Object.values(differences).reduce((sum, { count }) => sum + count, 0);
}

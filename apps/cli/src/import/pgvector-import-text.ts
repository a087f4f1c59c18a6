import type { PgvectorImportCounts, PgvectorImportResult, VerificationReport } from '#ingestion';
import { migrationSummary } from '../output/migration-summary.js';

/** What a run of the import came to. */
export interface PgvectorImportReport {
  readonly isDryRun: boolean;
  /** Whether vectors were to be kept. */
  readonly keepsVectors: boolean;
  readonly result: PgvectorImportResult;
  readonly elapsedMs: number;
  /** `null` = nothing was verified: a dry run, or an interrupted one. */
  readonly verification: VerificationReport | null;
}

/** One line for whoever waits. */
export function progressText({ read, refused }: PgvectorImportCounts, total: number, skipped: number): string {
  return `${skipped + read} of ${total} rows${refused === 0 ? '' : `, ${refused} refused`}`;
}

/** The summary for programs. */
export function reportJson({ isDryRun, keepsVectors, result, elapsedMs, verification }: PgvectorImportReport): object {
  const { kept, keptOfOtherText, severalChunks, withoutVector, chunkedLater, otherVector } = result.vectors;
  const { total, skipped, read, inserted, updated, unchanged, refused } = result;
  return {
    dry_run: isDryRun,
    total,
    skipped,
    read,
    inserted,
    updated,
    unchanged,
    refused,
    refused_rows: result.refusedRows,
    interrupted: result.isInterrupted,
    vectors: keepsVectors
      ? {
          kept,
          kept_of_other_text: keptOfOtherText,
          several_chunks: severalChunks,
          without_vector: withoutVector,
          chunked_later: chunkedLater,
          other_vector: otherVector,
        }
      : null,
    elapsed_ms: Math.round(elapsedMs),
    verification,
  };
}

/** The summary for people. */
export function reportText(report: PgvectorImportReport): string {
  const { result, isDryRun, elapsedMs, verification } = report;
  const succeeded = result.inserted + result.updated + result.unchanged;
  const lines = [
    ...(isDryRun ? ['A dry run: nothing was written. What would happen:'] : []),
    migrationSummary({ total: result.total, succeeded, failed: result.refused, elapsedMs }),
    `Documents: ${result.inserted} new, ${result.updated} changed, ${result.unchanged} unchanged`,
    ...(result.skipped === 0 ? [] : [`Rows of earlier runs: ${result.skipped}`]),
    ...vectorLines(report, succeeded),
    ...(result.isInterrupted ? ['Interrupted. The same command with --resume goes on.'] : []),
    ...(verification === null ? [] : verificationLines(verification)),
  ];
  return lines.join('\n');
}

function vectorLines({ result, keepsVectors }: PgvectorImportReport, succeeded: number): string[] {
  if (!keepsVectors) return ['Vectors: none kept; the index embeds what is new (--model and --dimensions keep those of the source)'];
  const { kept, keptOfOtherText, severalChunks, withoutVector, chunkedLater, otherVector } = result.vectors;
  const why = [
    [severalChunks, 'in several chunks'],
    [withoutVector, 'without a vector'],
    [chunkedLater, 'cut into chunks later'],
    [otherVector, 'with another vector already'],
  ] as const;
  const reasons = why.filter(([count]) => count > 0).map(([count, text]) => `${count} ${text}`);
  const line = `Vectors: ${kept} kept, ${succeeded - kept} embedded anew${reasons.length === 0 ? '' : ` (${reasons.join(', ')})`}`;
  if (keptOfOtherText === 0) return [line];
  return [
    line,
    `  ${keptOfOtherText} of the kept ones were made from the content alone, while the index reads title or headings with it: a generation's gate may refuse them`,
  ];
}

function verificationLines({
  source_rows,
  documents,
  refused,
  missing,
  without_document,
  sample,
  embedded_anew,
  is_passed,
}: VerificationReport) {
  const lines = [
    `Verified: ${is_passed ? 'passed' : 'FAILED'}. ${source_rows} rows, ${documents} with a document, ${refused} refused, ${missing} missing`,
  ];
  if (missing > 0) lines.push(`  without a document: ${without_document.join(', ')}${without_document.length < missing ? ', …' : ''}`);
  if (sample !== null) {
    const lowest = sample.lowest_cosine === null ? '-' : sample.lowest_cosine.toFixed(6);
    lines.push(`  sample (seed ${sample.seed}): ${sample.compared} vectors compared, lowest cosine ${lowest}`);
    lines.push(
      ...sample.below.map(({ id, cosine }) => `  ${id}: ${cosine === null ? 'no vector in the cache' : `cosine ${cosine.toFixed(6)}`}`),
    );
  }
  if (embedded_anew !== null) {
    const { id, cosine, problem } = embedded_anew;
    lines.push(
      `  ${id} embedded anew: ${cosine === null ? `not possible (${problem})` : `cosine ${cosine.toFixed(6)} to the kept vector`}`,
    );
  }
  return lines;
}

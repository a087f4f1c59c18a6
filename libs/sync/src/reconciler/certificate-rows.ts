import type { SqlSession } from '#database';
import type { Certificate, CertificateDecision, CertificateReport } from './certificate.js';

export interface CertificateFilter {
  readonly generationId?: number;
  readonly source?: string;
  readonly limit: number;
  /** Only older ones than the certificate with this id. */
  readonly before?: string;
}

/*
 * Both times by the database's clock, so that certificates of several processes sort. The token of the lease is in the report only while it runs: it tells
 * whether the process that runs it is alive.
 */
const INSERT = `
INSERT INTO index_certificates (id, generation_id, decision, report)
VALUES ($1, $2, 'running', $3::jsonb || jsonb_build_object('lease_token', $4::text))`;

const PROGRESS = `
UPDATE index_certificates SET report = $2::jsonb || jsonb_build_object('lease_token', report->>'lease_token') WHERE id = $1 AND decision = 'running'`;

/* Only what still runs: a process that was frozen, and shown as failed meanwhile, may still say how it ended. */
const FINISH = `UPDATE index_certificates SET decision = $2, finished_at = clock_timestamp(), report = $3::jsonb WHERE id = $1 AND decision = 'running'`;

/*
 * A process that died leaves its certificate running; it has failed as soon as its lease is over. The buckets of the digest are 20 KB each, so a listing
 * leaves them out.
 */
const COLUMNS = `
  c.id, c.generation_id, g.source, c.started_at, c.finished_at,
  CASE WHEN c.decision = 'running' AND NOT EXISTS (
    SELECT 1 FROM sync_leases l WHERE l.token::text = c.report->>'lease_token' AND l.lease_until > clock_timestamp()
  ) THEN 'failed' ELSE c.decision END AS decision`;

const LIST = `
SELECT ${COLUMNS}, (c.report #- '{digest,buckets}') - 'lease_token' AS report
FROM index_certificates c JOIN index_generations g ON g.id = c.generation_id
WHERE ($1::integer IS NULL OR c.generation_id = $1) AND ($2::text IS NULL OR g.source = $2)
  AND ($3::uuid IS NULL OR (c.started_at, c.id) < (SELECT b.started_at, b.id FROM index_certificates b WHERE b.id = $3))
ORDER BY c.started_at DESC, c.id DESC LIMIT $4`;

const GET = `
SELECT ${COLUMNS}, c.report - 'lease_token' AS report
FROM index_certificates c JOIN index_generations g ON g.id = c.generation_id WHERE c.id = $1`;

interface Row {
  id: string;
  generation_id: number;
  source: string;
  started_at: Date;
  finished_at: Date | null;
  decision: CertificateDecision;
  report: CertificateReport;
}

export async function insertCertificate(session: SqlSession, id: string, leaseToken: string, report: CertificateReport): Promise<void> {
  await session.query(INSERT, [id, report.generation, JSON.stringify(report), leaseToken]);
}

export async function updateProgress(session: SqlSession, id: string, report: CertificateReport): Promise<void> {
  await session.query(PROGRESS, [id, JSON.stringify(report)]);
}

export async function finishCertificate(session: SqlSession, id: string, report: CertificateReport): Promise<void> {
  await session.query(FINISH, [id, report.decision, JSON.stringify(report)]);
}

/** Newest first, without the digests of single buckets. */
export async function listCertificates(session: SqlSession, filter: CertificateFilter): Promise<Certificate[]> {
  const { rows } = await session.query<Row>(LIST, [
    filter.generationId ?? null,
    filter.source ?? null,
    filter.before ?? null,
    filter.limit,
  ]);
  return rows.map(toCertificate);
}

export async function getCertificate(session: SqlSession, id: string): Promise<Certificate | null> {
  const { rows } = await session.query<Row>(GET, [id]);
  return rows[0] === undefined ? null : toCertificate(rows[0]);
}

const DIED = 'The process that ran it has ended without a result';

function toCertificate(row: Row): Certificate {
  const hasDied = row.decision === 'failed' && row.report.decision === 'running';
  const report: CertificateReport = { ...row.report, decision: row.decision, reasons: hasDied ? [DIED] : row.report.reasons };
  return {
    id: row.id,
    generationId: row.generation_id,
    source: row.source,
    decision: row.decision,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    report,
  };
}

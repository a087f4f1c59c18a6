import { Clock } from '#kernel';
import { Certificates, GenerationManager, Schedules, type Certificate, type CertificateDecision, type GenerationRecord } from '#sync';
import { Injectable } from '@nestjs/common';
import { MetricsRegistry } from '../metrics-registry.js';
import { Readings } from '../readings.js';

/** What was compared to the end, whatever it found. */
const WHOLE: ReadonlySet<CertificateDecision> = new Set<CertificateDecision>(['clean', 'repaired', 'differs']);
/** Looked through for a whole one; more failures in a row than that, and there is none. */
const CERTIFICATES_LOOKED_AT = 20;
/** Schedules that may be left out before somebody is told. */
const INTERVALS = 2;
const MS_PER_SECOND = 1_000;

interface Proof {
  readonly generation: GenerationRecord;
  readonly certificate: Certificate | null;
}

/** How long ago rows and index of each source were last compared, and what differed. */
@Injectable()
export class CertificateMetrics {
  constructor(
    metrics: MetricsRegistry,
    readings: Readings,
    certificates: Certificates,
    generations: GenerationManager,
    schedules: Schedules,
    clock: Clock,
  ) {
    const proofs = readings.make('certificates', async (): Promise<Proof[]> => {
      const serving = (await generations.list()).filter(({ state }) => state === 'serving');
      return Promise.all(
        serving.map(async (generation) => {
          const newest = await certificates.list({ generationId: generation.id, limit: CERTIFICATES_LOOKED_AT });
          return { generation, certificate: newest.find(({ decision }) => WHOLE.has(decision)) ?? null };
        }),
      );
    });
    metrics.gauge(
      'kindred_certificate_age_seconds',
      'Since the serving index was last compared with the rows to the end; before the first time, since it was made',
      async () =>
        (await proofs.value())?.map(({ generation, certificate }) => ({
          labels: { source: generation.source },
          value: Math.max(0, clock.now().getTime() - (certificate?.finishedAt ?? generation.createdAt).getTime()) / MS_PER_SECOND,
        })) ?? null,
    );
    metrics.gauge(
      'kindred_certificate_max_age_seconds',
      `${INTERVALS} x the time between two scheduled comparisons; absent when they are off`,
      async () => {
        const intervalMs = schedules.intervalMs('reconcile', clock.now());
        const known = intervalMs === null ? null : await proofs.value();
        return (
          known?.map(({ generation: { source } }) => ({ labels: { source }, value: (INTERVALS * intervalMs!) / MS_PER_SECOND })) ?? null
        );
      },
    );
    metrics.gauge(
      'kindred_certificate_differences',
      'Differences that the last whole comparison has confirmed, by kind; those that were repaired then as well',
      async () =>
        (await proofs.value())?.flatMap(({ generation: { source }, certificate }) =>
          Object.entries(certificate?.report.differences ?? {}).map(([kind, { count }]) => ({ labels: { source, kind }, value: count })),
        ) ?? null,
    );
    metrics.gauge(
      'kindred_certificate_verified_rows',
      'Rows whose entry and point agreed in the last whole comparison',
      async () =>
        (await proofs.value())?.flatMap(({ generation: { source }, certificate }) =>
          certificate === null ? [] : [{ labels: { source }, value: certificate.report.verified }],
        ) ?? null,
    );
  }
}

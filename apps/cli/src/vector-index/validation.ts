import { differencesOf, type CertificateReply } from '../commands/certificate-text.js';
import type { GenerationReply } from '../commands/generation-text.js';
import type { KindredClient } from '../service/kindred-client.js';

/** Follows a reconciliation to its end. */
export type Follow = (
  look: () => Promise<CertificateReply>,
  isOver: (certificate: CertificateReply) => boolean,
  describe: (certificate: CertificateReply) => string,
) => Promise<CertificateReply>;

/** Compares rows and index of every serving generation, or of one, and repairs nothing. */
export async function validate(
  client: KindredClient,
  target: { readonly source?: string; readonly generation?: number },
  follow: Follow,
): Promise<CertificateReply[]> {
  const isNamed = target.source !== undefined || target.generation !== undefined;
  const targets = isNamed ? [target] : await servingGenerations(client);
  const certificates: CertificateReply[] = [];
  for (const one of targets) {
    const { id } = await client.act<{ id: string }>('reconcile', { ...one, dry_run: true });
    certificates.push(
      await follow(
        () => client.read<CertificateReply>(`certificates/${id}`),
        ({ decision }) => decision !== 'running',
        (progress) => `${progress.source}: ${progress.rows} rows and ${progress.points} points so far, ${differencesOf(progress)} differ`,
      ),
    );
  }
  return certificates;
}

export const isClean = ({ decision }: CertificateReply): boolean => decision === 'clean';

async function servingGenerations(client: KindredClient): Promise<{ generation: number }[]> {
  const { items } = await client.read<{ items: GenerationReply[] }>('generations');
  return items.filter(({ state }) => state === 'serving').map(({ id }) => ({ generation: id }));
}

import type { UnitOfWork } from '#database';
import { DomainError, isUuid } from '#kernel';
import type { Certificate } from './certificate.js';
import { getCertificate, listCertificates, type CertificateFilter } from './certificate-rows.js';

/** What reconciliations have proven. A certificate whose process died is shown as `failed` as soon as its lease is over. */
export class Certificates {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** Newest first; without the digests of single buckets, which {@link get} has. */
  async list(filter: CertificateFilter): Promise<Certificate[]> {
    if (filter.before !== undefined && !isUuid(filter.before)) throw new DomainError('sync.certificate-not-found');
    return listCertificates(this.unitOfWork, filter);
  }

  /** @throws DomainError `sync.certificate-not-found` */
  async get(id: string): Promise<Certificate> {
    const found = isUuid(id) ? await getCertificate(this.unitOfWork, id) : null;
    if (found === null) throw new DomainError('sync.certificate-not-found');
    return found;
  }

  /** The newest one of the generation, whatever its decision; without the digests of single buckets. */
  async latest(generationId: number): Promise<Certificate | null> {
    const [latest] = await listCertificates(this.unitOfWork, { generationId, limit: 1 });
    return latest ?? null;
  }
}

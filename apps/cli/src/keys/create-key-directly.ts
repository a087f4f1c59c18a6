import { loadConfig } from '#config';
import type { KeyRequest } from '#security';
import { auditedDirectly } from '../audit/audited-directly.js';
import { withKindredDatabase } from '../backup/kindred-database.js';
import { withSchema } from '../schema-session.js';
import { findRunningService } from '../service/service-url.js';
import { ServiceError } from '../service/service-error.js';
import type { NewKeyReply } from './key-text.js';

/**
 * Makes a key in the database itself: the first one, for which there is no key to ask with. Migrates the database first, unless the service runs.
 *
 * Whoever can do this has the database and the pepper already; it is recorded in the audit like everything else.
 */
export async function createKeyDirectly(request: KeyRequest): Promise<NewKeyReply> {
  const config = loadConfig();
  if (!isServiceRunning(config.data.dataDir)) await withSchema(async (source, { runMigrations }) => void (await runMigrations(source)));
  const [{ DatabaseConnection }, { ApiKeys, Pepper }] = await Promise.all([import('#database'), import('#security')]);
  return withKindredDatabase(config, async (url) => {
    const database = await DatabaseConnection.open(url);
    try {
      const keys = new ApiKeys(database.unitOfWork, Pepper.of(config.security.pepper, config.data.dataDir));
      const { name, scopes, expiresAt, allowedCidrs } = request;
      const act = { action: 'keys create', target: null, detail: { name, scopes, expires_at: expiresAt, allowed_cidrs: allowedCidrs } };
      const { key, text } = await auditedDirectly(
        url,
        act,
        () => keys.create(request),
        (made) => made.key.keyId,
      );
      return {
        id: key.keyId,
        name: key.name,
        scopes: key.scopes,
        collections: key.collections,
        allowed_cidrs: key.allowedCidrs,
        rate_limit_per_minute: key.rateLimitPerMinute,
        replaces: key.replaces,
        state: 'good',
        expires_at: key.expiresAt?.toISOString() ?? null,
        last_used_at: null,
        key: text,
      };
    } finally {
      await database.close();
    }
  });
}

function isServiceRunning(dataDir: string): boolean {
  try {
    findRunningService(dataDir);
    return true;
  } catch (error) {
    if (error instanceof ServiceError) return false;
    throw error;
  }
}

import { ServiceUnderTest } from '../service-under-test.js';
import type { TextGenerator } from '../texts.js';

const BOOTSTRAP = 'bench-bootstrap-key-0123456789abcdef';
const PEPPER = 'bench-pepper-0123456789abcdef0123456789';
const QUERY_TOKENS = 16;
const PROJECT_TOKENS = 40;
const WRITES_IN_FLIGHT = 20;

export const BEARER = { authorization: `Bearer ${BOOTSTRAP}` };
export const SEARCH = '/api/v1/similarity/find-similar';

/** What every part measures with. */
export interface GuardStage {
  /** Projects to search in. */
  readonly rows: number;
  readonly generator: TextGenerator;
  readonly say: (text: string) => void;
}

/** A service that knows a bootstrap key (`BEARER`). @param settings environment variables beside that */
export function keyedService(settings: Readonly<Record<string, string>> = {}): Promise<ServiceUnderTest> {
  return ServiceUnderTest.start({ KINDRED_BOOTSTRAP_KEY: BOOTSTRAP, API_KEY_PEPPER: PEPPER, ...settings });
}

/** The same with projects that are in the index. */
export async function filledService(
  settings: Readonly<Record<string, string>>,
  { rows, generator }: GuardStage,
): Promise<ServiceUnderTest> {
  const service = await keyedService(settings);
  for (let row = 0; row < rows; row += WRITES_IN_FLIGHT) {
    const batch = Array.from({ length: Math.min(WRITES_IN_FLIGHT, rows - row) }, () =>
      service.exchange('POST', '/api/v1/projects', generator.project(PROJECT_TOKENS), BEARER),
    );
    await Promise.all(batch);
  }
  await service.untilIndexed(BEARER);
  return service;
}

/** Makes a key. @returns the headers that carry it */
export async function makeKey(service: ServiceUnderTest, fields: object): Promise<Readonly<Record<string, string>>> {
  const { text } = await service.exchange('POST', '/api/v1/admin/keys', { name: 'bench', scopes: ['read'], ...fields }, BEARER);
  return { authorization: `Bearer ${(JSON.parse(text) as { key: string }).key}` };
}

export function searchBody({ generator }: GuardStage): object {
  return { query: generator.query(QUERY_TOKENS), top_k: 5 };
}

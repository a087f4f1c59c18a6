import type { Json, Reply } from './http-harness.js';
import { BOOTSTRAP, KeyedStage } from './keyed-stage.js';

describe('API keys for some collections only', () => {
  let stage: KeyedStage;
  let as: KeyedStage['as'];
  let statusOf: KeyedStage['statusOf'];
  let make: KeyedStage['make'];
  beforeAll(async () => {
    stage = await KeyedStage.set();
    ({ as, statusOf, make } = stage);
  });
  afterAll(() => stage.close());

  const DOCUMENTS = '/api/v1/documents';
  let key: string;
  let own: Json;
  let foreign: Json;
  beforeAll(async () => {
    for (const name of ['own', 'foreign'])
      expect(await statusOf(BOOTSTRAP, { payload: { name } }, 'POST', '/api/v1/collections')).toBe(201);
    const document = async (collection: string) =>
      (await as(BOOTSTRAP, 'POST', DOCUMENTS, { payload: { collection, title: 'Oiling', content: 'Oak is oiled twice.' } })).body;
    own = await document('own');
    foreign = await document('foreign');
    key = (await make({ name: 'faq page', scopes: ['write'], collections: ['own'] })).key as string;
  });

  it('sees what is in them', async () => {
    expect((await as(key, 'GET', '/api/v1/collections')).body.items.map(({ name }: Json) => name)).toEqual(['own']);
    expect(await statusOf(key, {}, 'GET', '/api/v1/collections/own')).toBe(200);
    expect((await as(key, 'GET', `${DOCUMENTS}?collection=own`)).body.items.map(({ id }: Json) => id)).toEqual([own.id]);
    expect(await statusOf(key, {}, 'GET', `${DOCUMENTS}/${own.id}`)).toBe(200);
    expect(await statusOf(key, { payload: { title: 'Oil' } }, 'PATCH', `${DOCUMENTS}/${own.id}`)).toBe(200);
    expect(await statusOf(key, { payload: { query: 'oil', collection: 'own' } }, 'POST', '/api/v1/query')).toBe(200);
  });

  it.each([
    ['GET', () => `/api/v1/collections/foreign`, undefined],
    ['GET', () => `${DOCUMENTS}/${foreign.id}`, undefined],
    ['GET', () => `${DOCUMENTS}/${foreign.id}/index-status`, undefined],
    ['PUT', () => `${DOCUMENTS}/${foreign.id}`, { collection: 'own', title: 'x', content: 'x' }],
    ['PATCH', () => `${DOCUMENTS}/${foreign.id}`, { title: 'x' }],
    ['DELETE', () => `${DOCUMENTS}/${foreign.id}`, undefined],
  ] as [string, () => string, Json][])('is answered %s %s as if it did not exist', async (method, urlOf, payload) => {
    const hidden = await as(key, method, urlOf(), payload === undefined ? {} : { payload });
    const missing = await as(
      key,
      method,
      urlOf().replace(foreign.id, '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11').replace('/foreign', '/nowhere'),
      payload === undefined ? {} : { payload },
    );
    expect(hidden.status).toBe(404);
    const plain = ({ body }: Reply) => ({ ...body, instance: '', request_id: '' });
    expect(plain(hidden)).toEqual(plain(missing));
  });

  it.each([
    ['POST', () => DOCUMENTS, { collection: 'foreign', title: 'x', content: 'x' }, 422],
    [
      'POST',
      () => `${DOCUMENTS}/batch`,
      {
        documents: [
          { collection: 'own', title: 'x', content: 'x' },
          { collection: 'foreign', title: 'x', content: 'x' },
        ],
      },
      422,
    ],
    ['PUT', () => `${DOCUMENTS}/${own.id}`, { collection: 'foreign', title: 'x', content: 'x' }, 422],
    ['PATCH', () => `${DOCUMENTS}/${own.id}`, { collection: 'foreign' }, 422],
    ['GET', () => `${DOCUMENTS}?collection=foreign`, undefined, 422],
    ['POST', () => '/api/v1/query', { query: 'oil', collection: 'foreign' }, 422],
    ['POST', () => DOCUMENTS, { collection: 'nowhere' }, 422],
    ['POST', () => DOCUMENTS, { collection: 'foreign' }, 422],
    ['POST', () => `${DOCUMENTS}/batch`, { documents: [{ collection: 'nowhere', title: 'x', content: 'x' }] }, 422],
    ['GET', () => `${DOCUMENTS}?collection=foreign&limit=0`, undefined, 422],
    ['GET', () => `${DOCUMENTS}?collection=nowhere&limit=0`, undefined, 422],
    ['GET', () => `${DOCUMENTS}?collection=%00`, undefined, 400],
    ['DELETE', () => `${DOCUMENTS}/${own.id}?receipt=true`, undefined, 403],
    ['POST', () => '/api/v1/query', { query: 'oil' }, 403],
    ['GET', () => DOCUMENTS, undefined, 403],
    ['GET', () => '/api/v1/projects', undefined, 403],
    ['POST', () => '/api/v1/similarity/find-similar', { query: 'oak' }, 403],
    ['POST', () => '/api/chat/message', { message: 'oil' }, 403],
    ['GET', () => `${DOCUMENTS}/export?format=ndjson`, undefined, 403],
    ['POST', () => `${DOCUMENTS}/delete`, { ids: ['0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11'] }, 403],
    ['POST', () => '/api/v1/collections', { name: 'third' }, 403],
    ['DELETE', () => '/api/v1/collections/own', undefined, 403],
    ['GET', () => '/api/v1/jobs', undefined, 403],
  ] as [string, () => string, Json, number][])('cannot %s %s %j', async (method, urlOf, payload, status) => {
    expect(await statusOf(key, payload === undefined ? {} : { payload }, method, urlOf())).toBe(status);
  });
});

import { PROJECT_BODY, type Json } from '../http-harness.js';

/** What the cases are about: two rows each, of which one has the external id `taken`; a job that is over, and a key that was revoked. */
export type RowName = 'project' | 'takenProject' | 'document' | 'takenDocument' | 'job' | 'key';

/** One request that stored rows decide about. */
export interface RowCase {
  readonly operationId: string;
  readonly status: number;
  readonly url: string;
  readonly options?: Json;
}

export const DOCUMENT_BODY = { collection: 'faq', title: 'How?', content: 'So.' };

/** In this order: those at the end delete. Beside the collection `faq` there is one named `own`. */
export function rowCases(idOf: (name: RowName) => string): RowCase[] {
  const headers = { 'if-match': '*' };
  const stale = { 'if-match': '"v9999"' };
  const taken = { external_id: 'taken' };
  return [
    { operationId: 'createProject', status: 409, url: '/api/v1/projects', options: { payload: { ...PROJECT_BODY, ...taken } } },
    {
      operationId: 'replaceProject',
      status: 409,
      url: `/api/v1/projects/${idOf('project')}`,
      options: { payload: { ...PROJECT_BODY, ...taken }, headers },
    },
    {
      operationId: 'replaceProjectByExternalId',
      status: 200,
      url: '/api/v1/projects/by-external-id/taken',
      options: { payload: PROJECT_BODY, headers },
    },
    { operationId: 'patchProject', status: 409, url: `/api/v1/projects/${idOf('project')}`, options: { payload: taken, headers } },
    { operationId: 'createDocument', status: 409, url: '/api/v1/documents', options: { payload: { ...DOCUMENT_BODY, ...taken } } },
    {
      operationId: 'replaceDocument',
      status: 409,
      url: `/api/v1/documents/${idOf('document')}`,
      options: { payload: { ...DOCUMENT_BODY, ...taken }, headers },
    },
    { operationId: 'patchDocument', status: 409, url: `/api/v1/documents/${idOf('document')}`, options: { payload: taken, headers } },
    {
      operationId: 'patchDocument',
      status: 422,
      url: `/api/v1/documents/${idOf('document')}`,
      options: { payload: { collection: 'nowhere' }, headers },
    },
    { operationId: 'patchCollection', status: 409, url: '/api/v1/collections/faq', options: { payload: { name: 'own' }, headers } },
    {
      operationId: 'patchCollection',
      status: 412,
      url: '/api/v1/collections/faq',
      options: { payload: { description: 'x' }, headers: stale },
    },
    { operationId: 'patchCollection', status: 200, url: '/api/v1/collections/faq', options: { payload: { description: 'x' }, headers } },
    { operationId: 'deleteCollection', status: 412, url: '/api/v1/collections/faq', options: { headers: stale } },
    { operationId: 'deleteDocument', status: 412, url: `/api/v1/documents/${idOf('document')}`, options: { headers: stale } },
    { operationId: 'deleteDocument', status: 202, url: `/api/v1/documents/${idOf('document')}?receipt=true`, options: { headers } },
    { operationId: 'deleteProject', status: 412, url: `/api/v1/projects/${idOf('project')}`, options: { headers: stale } },
    { operationId: 'deleteProject', status: 202, url: `/api/v1/projects/${idOf('project')}?receipt=true`, options: { headers } },
    { operationId: 'deleteDocument', status: 204, url: `/api/v1/documents/${idOf('takenDocument')}`, options: { headers } },
    { operationId: 'deleteProject', status: 204, url: `/api/v1/projects/${idOf('takenProject')}`, options: { headers } },
    { operationId: 'followJob', status: 200, url: `/api/v1/jobs/${idOf('job')}/events` },
    { operationId: 'resumeJob', status: 409, url: `/api/v1/jobs/${idOf('job')}/resume` },
    { operationId: 'revokeKey', status: 404, url: '/api/v1/admin/keys/0a1b2c3d4e5f' },
    { operationId: 'rotateKey', status: 404, url: '/api/v1/admin/keys/0a1b2c3d4e5f/rotate' },
    { operationId: 'rotateKey', status: 409, url: `/api/v1/admin/keys/${idOf('key')}/rotate` },
    {
      operationId: 'createKey',
      status: 422,
      url: '/api/v1/admin/keys',
      options: { payload: { name: 'x', scopes: ['read'], collections: ['nowhere'] } },
    },
    { operationId: 'touchRows', status: 422, url: '/api/v1/admin/sync/touch', options: { payload: { generation: 9 } } },
  ];
}

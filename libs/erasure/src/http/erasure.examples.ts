const ERASURE_ID = '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11';
const PROVEN = {
  part: '',
  state: 'proven',
  removed: 0,
  checked_at: '2026-01-31T10:00:12.000Z',
  proven_at: '2026-01-31T10:00:12.000Z',
  detail: null,
};

export const ACCEPTED_ERASURE_EXAMPLE = { erasure_id: ERASURE_ID };

export const ERASURE_EXAMPLE = {
  id: ERASURE_ID,
  kind: 'project',
  target_id: '0197a6b2-5b7d-7a10-8c22-4e0f5d1b9c33',
  state: 'proven',
  requested_at: '2026-01-31T10:00:00.000Z',
  logged_at: '2026-01-31T10:00:00.004Z',
  finished_at: '2026-01-31T10:00:13.000Z',
  last_error: null,
  places: [
    { place: 'row', ...PROVEN },
    { place: 'ledger', ...PROVEN },
    { place: 'index', ...PROVEN, part: 'kindred_projects_g1_3f9a2c' },
    { place: 'embedding-cache', ...PROVEN, removed: 1 },
  ],
  backups: [
    {
      id: '0197a5ff-1c2d-7e4f-8a6b-7c8d9e0f1a2b',
      begun_at: '2026-01-31T03:00:00.000Z',
      finished_at: '2026-01-31T03:00:09.000Z',
      location: 'db-host:/backups/2026-01-31',
    },
  ],
};

import { ConfigModule, loadConfig } from '#config';
import { createTestDatabase, type TestDatabase } from '#testing';
import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { DatabaseLifecycle } from './database-lifecycle.js';
import { DatabaseModule } from './database.module.js';
import { RelayUnitOfWork, UnitOfWork } from './unit-of-work.js';

@Injectable()
class Feature {
  constructor(
    readonly unitOfWork: UnitOfWork,
    readonly relayUnitOfWork: RelayUnitOfWork,
  ) {}
}

@Module({ providers: [Feature] })
class FeatureModule {}

describe('DatabaseModule', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  afterAll(() => database.close());

  it('gives every module both units of work, connects at the start and disconnects at the end', async () => {
    const config = loadConfig({ DATABASE_URL: database.url });
    const testing = await Test.createTestingModule({
      imports: [ConfigModule.forRoot(config), DatabaseModule.forRoot({ entities: [] }), FeatureModule],
    }).compile();
    const app = await testing.init();
    const { unitOfWork, relayUnitOfWork } = app.get(Feature, { strict: false });
    await app.get(DatabaseLifecycle).ready();
    const NAME = `SELECT current_setting('application_name') AS name`;
    expect([...(await unitOfWork.query(NAME)).rows, ...(await relayUnitOfWork.query(NAME)).rows]).toEqual([
      { name: 'kindred' },
      { name: 'kindred-relay' },
    ]);
    await app.close();
    await expect(unitOfWork.query('SELECT 1')).rejects.toMatchObject({ code: 'database.unavailable' });
    await expect(relayUnitOfWork.query('SELECT 1')).rejects.toMatchObject({ code: 'database.unavailable' });
  });
});

import { SystemClock } from '#kernel';
import { describeVectorStoreContract, FakeVectorStore } from '#testing';
import { FailoverVectorStore, SearchReplica } from '#vector-store';
import { Logger } from '@nestjs/common';

beforeAll(() => Logger.overrideLogger(false));

describeVectorStoreContract('FailoverVectorStore over a fake primary', async () => {
  const clock = new SystemClock();
  const store = new FailoverVectorStore({
    primary: new FakeVectorStore(),
    // Not in step with anything: an answer from it would be no answer.
    replica: new SearchReplica(new FakeVectorStore(), 1_000, clock),
    searchTimeoutMs: 2_000,
    clock,
    random: () => 1,
  });
  return { store, cleanup: () => Promise.resolve() };
});

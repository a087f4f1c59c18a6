/// <reference types="jest" />
import { describeCollections } from './collection-cases.js';
import { describeConcurrency } from './concurrency-cases.js';
import { ContractHarness, type ContractStore } from './contract-harness.js';
import { describeFilters } from './filter-cases.js';
import { describeQueries } from './query-cases.js';
import { describeReads } from './read-cases.js';
import { describeRecommendations } from './recommend-cases.js';
import { describeWrites } from './write-cases.js';

/**
 * Registers the jest cases that every {@link VectorStore} must pass. One store serves all cases, each in a collection of its own.
 *
 * @param name shown in the test report
 * @param makeStore returns a store that is not open yet; the contract opens it, drops its collections, closes it and then calls `cleanup`
 */
export function describeVectorStoreContract(name: string, makeStore: () => Promise<ContractStore>): void {
  describe(`vector store contract: ${name}`, () => {
    const harness = new ContractHarness(makeStore);
    beforeAll(() => harness.start());
    afterAll(() => harness.stop());

    describeCollections(harness);
    describeWrites(harness);
    describeQueries(harness);
    describeFilters(harness);
    describeRecommendations(harness);
    describeReads(harness);
    describeConcurrency(harness);
  });
}

export { type ContractStore } from './contract-harness.js';
export { describeVectorStoreContract } from './describe-vector-store-contract.js';

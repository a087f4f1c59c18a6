// For `node --import`: replaces pieces of the program's SQL, as the environment says, to see the fault tests notice that a guard is missing.
// Production code never reads this variable.
//
//   KINDRED_MUTATE_SQL=[{"replace":"in_doubt = true","by":"in_doubt = l.in_doubt","within":"attempts = attempts + 1"}]
import { TypeOrmUnitOfWork, type RelayUnitOfWork } from '#database';
import { MutatedUnitOfWork, type SqlMutation } from '../faults/mutated-unit-of-work.js';

const text = process.env['KINDRED_MUTATE_SQL'];

if (text !== undefined && text !== '') {
  const mutations = JSON.parse(text) as SqlMutation[];
  const prototype = TypeOrmUnitOfWork.prototype as Pick<RelayUnitOfWork, 'query' | 'run'>;
  const { query, run } = prototype;
  /** The unit of work as it was, for one call. */
  const original = (self: RelayUnitOfWork): RelayUnitOfWork =>
    ({ query: query.bind(self), run: run.bind(self) }) as unknown as RelayUnitOfWork;
  prototype.query = function (this: RelayUnitOfWork, ...args) {
    return new MutatedUnitOfWork(original(this), mutations).query(...args);
  };
  prototype.run = function (this: RelayUnitOfWork, ...args) {
    return new MutatedUnitOfWork(original(this), mutations).run(...args);
  };
}

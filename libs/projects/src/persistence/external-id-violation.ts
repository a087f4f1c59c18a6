/** SQLSTATE unique_violation. */
const UNIQUE_VIOLATION = '23505';
const CONSTRAINT = 'projects_external_id_key';

/** Whether PostgreSQL refused a row because its `external_id` belongs to another one; looks through the wrappers of driver and ORM. */
export function isExternalIdViolation(error: unknown): boolean {
  for (let current = error, depth = 0; current !== null && typeof current === 'object' && depth < 5; depth++) {
    const { code, constraint, driverError, cause } = current as {
      code?: unknown;
      constraint?: unknown;
      driverError?: unknown;
      cause?: unknown;
    };
    if (code === UNIQUE_VIOLATION && constraint === CONSTRAINT) return true;
    current = driverError ?? cause;
  }
  return false;
}

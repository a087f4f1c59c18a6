/**
 * What an UPDATE sets to give a running job back to the queue. One that somebody wants cancelled ends here, for no run is left that could do it; so does one
 * that is given up.
 *
 * @param isGivenUp SQL condition
 * @param error SQL expression: why it is given up, as JSON
 */
export function giveBackAssignments(isGivenUp: string, error: string): string {
  return `
  state = CASE WHEN is_cancel_requested THEN 'cancelled' WHEN ${isGivenUp} THEN 'failed' ELSE 'queued' END,
  error = CASE WHEN NOT is_cancel_requested AND ${isGivenUp} THEN ${error}::jsonb END,
  finished_at = CASE WHEN is_cancel_requested OR ${isGivenUp} THEN now() END,
  lease_token = NULL, lease_until = NULL, updated_at = now()`;
}

/** SQL: whether the dead entry `l` of the ledger is muted, as it is now; a change of its row makes the mute one of the past. */
export const IS_MUTED = `EXISTS (SELECT FROM dead_letter_mutes m
  WHERE m.generation_id = l.generation_id AND m.source_id = l.source_id AND m.version = l.version)`;

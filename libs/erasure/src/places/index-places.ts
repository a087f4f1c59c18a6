export const LEDGER_PLACE = 'ledger';
export const INDEX_PLACE = 'index';

/** Until these are proven, a relay may be at work on what it has read before. */
export const INDEX_PLACES: readonly string[] = [LEDGER_PLACE, INDEX_PLACE];

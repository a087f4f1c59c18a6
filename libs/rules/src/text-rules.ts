import { z } from 'zod';

/** Longest value of project_type, region and wood_type. */
export const TERM_MAX_LENGTH = 100;

/** PostgreSQL cannot store NUL in text, and a lone surrogate has no UTF-8 form: both would be an error of the database instead of a clear answer. */
export function findTextDefect(text: string): 'nul' | 'lone-surrogate' | null {
  if (text.includes('\0')) return 'nul';
  return text.isWellFormed() ? null : 'lone-surrogate';
}

const DEFECT_DETAILS = {
  nul: 'must not contain the NUL character',
  'lone-surrogate': 'must be well-formed Unicode: it has half of a surrogate pair',
} as const;

/** A text that PostgreSQL can store and that is not blank. Lengths count UTF-16 code units, as JavaScript does. */
export function storableText(maxLength: number) {
  return z
    .string()
    .min(1)
    .max(maxLength)
    .superRefine((text, context) => {
      const defect = findTextDefect(text);
      if (defect !== null) context.addIssue({ code: 'custom', params: { code: defect }, message: DEFECT_DETAILS[defect] });
      // The empty text has its own rule.
      else if (text !== '' && text.trim() === '')
        context.addIssue({ code: 'custom', params: { code: 'blank' }, message: 'must not be blank' });
    });
}

/** NUL, lone surrogates and everything else that is no letter or digit fail this, so no other rule is needed. */
const TERM_PATTERN = /^[\p{L}\p{Nd} \-_./&+]+$/u;

/**
 * A word of the craft (type, region, wood): letters of any script, digits, spaces and `-_./&+`.
 *
 * Composed first (NFC): "Thüringen" typed on two systems must be one region, for filters compare bytes.
 */
export function craftTerm() {
  return z
    .string()
    .min(1)
    .max(TERM_MAX_LENGTH)
    .normalize('NFC')
    .superRefine((text, context) => {
      // The empty text has its own rule.
      if (text === '') return;
      if (!TERM_PATTERN.test(text)) {
        context.addIssue({
          code: 'custom',
          params: { code: 'forbidden-character' },
          message: 'may only contain letters, digits, spaces and - _ . / & +',
        });
      } else if (text.trim() === '') {
        context.addIssue({ code: 'custom', params: { code: 'blank' }, message: 'must not be blank' });
      }
    });
}

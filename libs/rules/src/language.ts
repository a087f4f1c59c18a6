import { z } from 'zod';

/** A language, with a region if need be: `de`, `en`, `de-AT`. A part of BCP 47 that covers what text search knows. */
export const languageTag = z
  .string()
  .regex(/^[a-z]{2,3}(-[A-Z]{2})?$/, 'must be a language like de, en or de-AT')
  .describe('Language, for example de, en or de-AT');

import { DomainError } from '#kernel';
import { fieldProblemsOf, type SchemaIssue } from '#rules';
import { Injectable, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';

/**
 * Validates each parameter against the schema of its decorator: `@Body({ schema })`, `@Query({ schema })`, `@Param(name, { schema })`.
 *
 * Nest's own StandardSchemaValidationPipe does the same, but does not tell its error factory where the value came from, and the pointers need that.
 * Parameters without a schema pass as they are.
 */
@Injectable()
export class RequestValidationPipe implements PipeTransform {
  /** @throws DomainError `request.invalid` with one entry per refused field */
  transform(value: unknown, { schema, type, data }: ArgumentMetadata): unknown {
    if (schema === undefined || type === 'custom') return value;
    const result = schema['~standard'].validate(value);
    // A promise would make every request wait a tick for rules that are all synchronous.
    if (result instanceof Promise) throw new TypeError('Schemas of request parameters must be synchronous');
    if (result.issues === undefined) return result.value;
    const fields = fieldProblemsOf(result.issues as readonly SchemaIssue[], value, { type, name: data });
    const [first] = fields;
    throw new DomainError('request.invalid', {
      fields,
      detail: first === undefined ? undefined : `${first.pointer === '' ? 'The body' : first.pointer} ${first.detail}`,
    });
  }
}

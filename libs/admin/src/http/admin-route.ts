import { AuditInterceptor, RequiresScope } from '#security';
import { applyDecorators, Controller, UseInterceptors } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';

const PATH = 'api/v1/admin';

/** Absolute path below the admin routes, for `Location`. */
export const adminPath = (path: string): string => `/${PATH}/${path}`;

/** A controller of admin routes: what shows something needs `admin:read`; what changes something needs `admin`, and is recorded. */
export function AdminController(path = ''): ClassDecorator {
  return applyDecorators(
    RequiresScope('admin:read', 'admin'),
    ApiTags('admin'),
    Controller(path === '' ? PATH : `${PATH}/${path}`),
    UseInterceptors(AuditInterceptor),
  );
}

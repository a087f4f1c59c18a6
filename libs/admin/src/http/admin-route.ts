import { applyDecorators, Controller, UseGuards } from '@nestjs/common';
import { ApiForbiddenResponse, ApiTags } from '@nestjs/swagger';
import { LoopbackOnlyGuard } from './loopback-only.guard.js';

const PATH = 'api/v1/admin';

/** Absolute path below the admin routes, for `Location`. */
export const adminPath = (path: string): string => `/${PATH}/${path}`;

/** A controller of admin routes: every one of them is guarded, and says so in the documentation. */
export function AdminController(path = ''): ClassDecorator {
  return applyDecorators(
    ApiTags('admin'),
    Controller(path === '' ? PATH : `${PATH}/${path}`),
    UseGuards(LoopbackOnlyGuard),
    ApiForbiddenResponse({
      description: 'The request was not sent on the machine of the service, or passed a proxy or a page of another origin',
    }),
  );
}

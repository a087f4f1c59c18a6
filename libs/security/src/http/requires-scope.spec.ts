import { Controller, Get, Post } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';
import { scopeOf } from './access.hook.js';
import { CostsBy, elementsOf, Public, RequiresScope, Searches, WithinCollections, type RouteAccess } from './requires-scope.js';

@RequiresScope('read', 'write')
@Controller('things')
class ThingsController {
  @Get()
  list(): void {}

  @Post()
  @RouteConfig({ streamsBody: true })
  create(): void {}

  @RequiresScope('read')
  @CostsBy(elementsOf('queries'))
  @Searches()
  @WithinCollections('body')
  @Post('search')
  search(): void {}

  @Public()
  @Get('open')
  open(): void {}
}

@Controller('forgotten')
class ForgottenController {
  @Get()
  list(): void {}
}

const configOf = (handler: object) =>
  Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, handler) as { readonly access: RouteAccess; readonly streamsBody?: boolean };

describe('RequiresScope', () => {
  const { list, create, search, open } = ThingsController.prototype;

  it('says one scope for what is seen and one for what is changed, and lets a method say another', () => {
    expect([list, create, search, open].map((handler) => configOf(handler).access.scope)).toEqual(['read', 'write', 'read', 'public']);
  });

  it('leaves what else the route says', () => {
    expect(configOf(create).streamsBody).toBe(true);
    expect(configOf(search).access).toMatchObject({ search: {}, collectionPlaces: ['body'] });
    expect(configOf(list).access).toMatchObject({ search: undefined, collectionPlaces: undefined, costOf: undefined });
  });

  it('counts the elements of a list, and takes whatever a client may send for one', () => {
    const cost = configOf(search).access.costOf!;
    expect(cost({ queries: ['a', 'b', 'c'] })).toBe(3);
    for (const body of [undefined, null, 1, 'x', [], {}, { queries: [] }, { queries: 'abc' }, { queries: { length: 1e9 } }])
      expect(cost(body)).toBe(1);
  });
});

describe('scopeOf', () => {
  it('refuses a route that does not say what it asks for', () => {
    expect(() => scopeOf(configOf(ForgottenController.prototype.list), '/forgotten')).toThrow('/forgotten does not say what scope');
  });

  it('knows the pages of the API document', () => {
    for (const url of ['/docs', '/docs/', '/docs/*', '/docs-json']) expect(scopeOf({}, url)).toBe('read');
    expect(() => scopeOf({}, '/docsx')).toThrow();
  });
});

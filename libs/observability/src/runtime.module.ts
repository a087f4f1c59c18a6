import { Clock, IdGenerator, SystemClock, SystemIdGenerator } from '#kernel';
import { Global, Module } from '@nestjs/common';

/** Time and identity of the running process, under their ports, for every module. */
@Global()
@Module({
  providers: [
    { provide: Clock, useClass: SystemClock },
    { provide: IdGenerator, useClass: SystemIdGenerator },
  ],
  exports: [Clock, IdGenerator],
})
export class RuntimeModule {}

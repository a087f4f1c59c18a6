import { Module } from '@nestjs/common';
import { DemoCommand } from './demo/demo.command.js';
import { MigrationCommand, MigrationGenerateCommand, MigrationRevertCommand, MigrationRunCommand } from './migration.command.js';

/** Commands start what they need themselves: none of them should pay for the others. */
@Module({ providers: [DemoCommand, MigrationCommand, MigrationRunCommand, MigrationRevertCommand, MigrationGenerateCommand] })
export class CliModule {}

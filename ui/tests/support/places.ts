/** Where things lie. */
import { join } from 'node:path';

export const repository = join(import.meta.dirname, '../../..');
/** What tests leave behind for a person to look at; not under version control. */
export const artefacts = join(repository, 'tests/artefacts/browser');

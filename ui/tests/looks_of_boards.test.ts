/** How the bench, the wall and the boards look. The pictures are in tests/artefacts/browser/looks. */
import { lookOver } from './support/looks';
import { withBrowser } from './support/sitting';
import { aboutBoards, STATES } from './support/states';

withBrowser();
lookOver(STATES.filter(aboutBoards));

import { fetchAgainstHostileServer } from './support/fetch-hostile-suite';
import { GATEWAY } from './support/fetch-link';

fetchAgainstHostileServer(GATEWAY);

import { GATEWAY } from './support/fetch-link';
import { fetchAgainstServers } from './support/fetch-servers-suite';

fetchAgainstServers(GATEWAY);

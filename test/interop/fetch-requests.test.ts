import { GATEWAY } from './support/fetch-link';
import { fetchRequests } from './support/fetch-requests-suite';

fetchRequests(GATEWAY);

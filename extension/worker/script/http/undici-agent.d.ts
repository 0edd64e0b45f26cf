/** undici's pool of pools alone: the package's entry would load its web API, caches and mocks as well. */
declare module 'undici/lib/dispatcher/agent.js' {
  import { Agent } from 'undici';
  export default Agent;
}

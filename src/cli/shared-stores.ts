import type { Config } from '../config/schema.ts';
import type { PortName } from '../ports/ports.ts';

/** Whether steps are handed to workers on other hosts. The rules of the configuration hold that journal and artifacts are shared then. */
export function handsOver({ workQueue }: Config): boolean {
  return workQueue.kind === 'redis';
}

/** Ports that hold state of this host alone: a step that needs one is done where the run is. */
export function ownPorts(config: Config): ReadonlySet<PortName> {
  const own = new Set<PortName>(['jobLauncher', 'workQueue', 'documentStore', 'changeFeed']);
  if (config.vectorIndex.kind === 'sqlite') own.add('vectorIndex');
  return own;
}

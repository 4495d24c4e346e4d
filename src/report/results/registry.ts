import type { AliasMoved, CommandResult } from '../../contracts/command-results.ts';
import { bytes } from '../quantities.ts';
import type { Style } from '../style.ts';

/** What became of an alias, and how to take it back. */
export function aliasMovedText({ model, alias, from, to, moved, forced }: AliasMoved, style: Style): string {
  if (!moved) return `${alias} of ${model} names ${to} already; nothing was moved.`;
  const line = `${style('bold', alias)} of ${model}: ${from ?? 'nothing'} → ${style('green', to)}${forced ? `, ${style('red', 'FORCED past the gate')}` : ''}`;
  return from === null ? line : `${line}\n→ back again: twin models rollback ${alias}${model === 'twin' ? '' : ` --name ${model}`}`;
}

/** That a model was taken in, and what it can do now. */
export function registeredText(version: string): string {
  return `${version} is registered.\n→ twin models promote ${version} --to champion --force --reason "…" serves it before any evaluation`;
}

/** That a version is gone, and what frees its files. */
export function deletedText(version: string): string {
  return `${version} is deleted from the registry; its files stay until they are collected as garbage.`;
}

/** Where an export lies, and what rounding cost. */
export function exportedText({ version, path, format, loss }: CommandResult & { readonly type: 'model-exported' }): string {
  const line = `${version} → ${path} (${format}${loss === null ? '' : ` ${loss.quantization}, ${bytes(loss.bytes)}`})`;
  const lost = loss && `its next token differs by ${loss.meanKl.toPrecision(2)} nats on average (KL over ${loss.prompts} fixed prompts)`;
  const serve = format === 'ollama' ? `\n→ ollama create ${version.replace('@', ':')} -f ${path}/Modelfile` : '';
  return lost === null ? line : `${line}\n  ${lost}${serve}`;
}

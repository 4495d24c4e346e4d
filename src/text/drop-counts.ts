import { countCodePoints } from './code-points.ts';

/** Counts characters (code points) that cleaning removed or replaced, by kebab-case reason. */
export class DropCounts {
  readonly counts: Record<string, number> = {};

  add(reason: string, characters: number): void {
    if (characters > 0) this.counts[reason] = (this.counts[reason] ?? 0) + characters;
  }

  /** The text with every match of a global pattern replaced, all its characters counted. */
  replace(text: string, pattern: RegExp, replacement: string, reason: string): string {
    return text.replace(pattern, (match: string) => {
      this.add(reason, countCodePoints(match));
      return replacement;
    });
  }
}

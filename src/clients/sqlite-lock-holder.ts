import { readFile, stat } from 'node:fs/promises';

/** The byte of the -shm file that the one writer of a write-ahead log locks (WAL_WRITE_LOCK). */
const writeLockByte = '120';

/** The process that is writing to a SQLite file, in words; null where the platform does not tell, or nobody is. */
export async function lockHolder(file: string): Promise<string | null> {
  try {
    const { ino } = await stat(`${file}-shm`);
    for (const line of (await readFile('/proc/locks', 'utf8')).split('\n')) {
      const [, , , mode, pid, inode, start] = line.split(/\s+/);
      if (mode !== 'WRITE' || inode?.split(':')[2] !== String(ino) || start !== writeLockByte) continue;
      const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0').join(' ').trim();
      return `process ${pid} (${command.slice(0, 200)})`;
    }
  } catch {
    // Only Linux has these files, and the holder may be gone before it is named.
  }
  return null;
}

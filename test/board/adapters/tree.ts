/** Made-up trees of files, as sysfs has them. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";

/** Files by their path: the content, or `{ to }` for a link. Gone after the test. */
export async function tree(context: TestContext, files: Record<string, string | { to: string }>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "steadycast-sysfs-"));
  context.after(() => rm(root, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    const file = join(root, path);
    await mkdir(dirname(file), { recursive: true });
    if (typeof content === "string") await writeFile(file, content);
    else await symlink(content.to, file);
  }
  return root;
}

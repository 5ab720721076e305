/** Makes the folder of a new project. `glia new` is the same from the command line of Glia. */
export { createProject, type ProjectMade } from "./create-project.ts";
export { FolderInUseError, FolderUnwritableError, ProjectNameError } from "./errors.ts";
export { makeFolder } from "./make-folder.ts";
export { projectFiles } from "./project-files.ts";

/** Where the compiler looks for `@glia-os/guest-as/assembly`: it puts a folder `assembly` behind the name of the package by itself. */
export * from "./index";

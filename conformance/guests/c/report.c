/* Says what it was given: arguments, variables, files under /, and what happens when it tries to write. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void show(const char *path) {
  struct stat info;
  if (stat(path, &info) != 0) {
    printf("%s: %s\n", path, strerror(errno));
    return;
  }
  if (S_ISREG(info.st_mode)) {
    char line[80] = "";
    FILE *file = fopen(path, "r");
    if (file == NULL) return;
    if (fgets(line, sizeof line, file) == NULL) line[0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    printf("%s: %lld bytes, begins \"%s\"\n", path, (long long)info.st_size, line);
    fclose(file);
    return;
  }
  DIR *folder = opendir(path);
  if (folder == NULL) return;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    char inside[512];
    snprintf(inside, sizeof inside, "%s/%s", strcmp(path, "/") == 0 ? "" : path, entry->d_name);
    show(inside);
  }
  closedir(folder);
}

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) printf("argument %d: %s\n", i, argv[i]);
  for (char **at = environ; *at != NULL; at++) printf("variable %s\n", *at);
  show("/");
  FILE *made = fopen("/made", "w");
  printf("writing: %s\n", made == NULL ? strerror(errno) : "allowed");
  struct timespec moment;
  clock_gettime(CLOCK_MONOTONIC, &moment);
  usleep(1500);
  fprintf(stderr, "done\n");
  return moment.tv_sec == 0 ? 0 : 1;
}

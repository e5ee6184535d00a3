"""Make mid.c, 44 KB: 140 C functions, each of which walks a list of its own and calls the one before."""

import random
from pathlib import Path

HEADERS = "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <math.h>\n"
STRUCT = "struct s{i}{{int a[{size}];double d;char n[16];struct s{i}*next;}};\n"
FUNCTION = (
    "static int f{i}(struct s{i}*p,int n){{int t=0;for(int i=0;i<n;i++){{struct s{i}*q=p;"
    "while(q){{t+=q->a[i%2]*{factor};if(t>{limit})t^=(int)q->d;q=q->next;}}"
    "switch(t%5){{case 0:t+={call};break;case 1:t-=3;break;case 2:t*=7;break;default:t>>=1;}}}}return t;}}\n"
)
LAST = "int main(int argc,char**argv){return f139((struct s139*)argv,argc);}\n"

chance = random.Random(3)
text = HEADERS
for i in range(140):
    size, factor, limit = chance.randint(2, 8), chance.randrange(99), chance.randint(1000, 9999)
    call = f"f{i - 1}((struct s{i - 1}*)p,n/2)" if i else "0"
    text += STRUCT.format(i=i, size=size) + FUNCTION.format(i=i, factor=factor, limit=limit, call=call)
Path("mid.c").write_text(text + LAST)

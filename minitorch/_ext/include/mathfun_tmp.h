#ifndef TMPH
#define TMPH
#include <math.h>
#define D(T,S) \
static inline T mt_log_sigmoid_##S(T x){ return (x<0?x:0)-(T)log1p(exp(-fabs((double)x)));}\
static inline T mt_lgamma_##S(T x){ return (T)lgamma((double)x);}\
static inline T mt_erfinv_##S(T x){ double y=0; if(x==1) return INFINITY; if(x==-1) return -INFINITY; if(!(x>-1&&x<1)) return NAN; for(int i=0;i<60;i++) y-= (erf(y)-x)/(1.1283791670955126*exp(-y*y)); return (T)y;}\
static inline T mt_digamma_##S(T xx){ double x=xx,r=0; while(x<10){r-=1/x;x+=1;} double f=1/(x*x); return (T)(r+log(x)-0.5/x-f*(1./12-f*(1./120-f*(1./252-f/240))));}\
static inline T mt_i0_##S(T xx){ double x=xx,s=1,t=1; for(int k=1;k<200;k++){t*=x*x/4/k/k; s+=t;} return (T)s;}
D(float,f32) D(double,f64)
#endif
